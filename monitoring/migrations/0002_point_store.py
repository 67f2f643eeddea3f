from __future__ import annotations

from django.db import migrations

# resource_id is catalog_service.id. It is no foreign key: Django's TRUNCATE in tests would refuse
# it, and the retention job removes what belongs to no service.
CREATE = """
create table metric_layout (
    layout_id smallint generated always as identity primary key,
    fingerprint text not null unique,
    series jsonb not null
);
create function metric_layout_is_immutable() returns trigger language plpgsql as $$
begin
    raise exception 'metric_layout is append-only: stored blocks are read by it';
end $$;
create trigger metric_layout_is_immutable before update or delete on metric_layout
    for each row execute function metric_layout_is_immutable();

-- The open day and the two before it: float32 [60][n], NaN = missing. Updated every tick, so half
-- of each page is kept free and rows stay out of TOAST.
create table metric_hour (
    resource_id bigint not null,
    hour timestamptz not null,
    layout_id smallint not null references metric_layout,
    data bytea not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (resource_id, hour, layout_id)
) with (fillfactor = 50, toast_tuple_target = 8160);
alter table metric_hour alter data set storage external;

-- Closed days. m1: gzip of byte-shuffled float32 [n][1440]; m5 and m30: means, peaks, sums.
create table metric_day (
    resource_id bigint not null,
    day date not null,
    layout_id smallint not null references metric_layout,
    m1 bytea not null,
    m5 bytea not null,
    m30 bytea not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (resource_id, day, layout_id)
) with (toast_tuple_target = 4080);
alter table metric_day alter m1 set storage external, alter m5 set storage external,
    alter m30 set storage external;

-- The last 60 minutes of the golden signals. Rebuilt from metric_hour every tick, so not logged.
create unlogged table metric_now (
    resource_id bigint primary key,
    start timestamptz not null,
    golden bytea not null,
    changed_at timestamptz not null default clock_timestamp()
) with (fillfactor = 40, toast_tuple_target = 8160);
alter table metric_now alter golden set storage external;
"""
DROP = """
drop table metric_now;
drop table metric_day;
drop table metric_hour;
drop table metric_layout;
drop function metric_layout_is_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]

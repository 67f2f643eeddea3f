from __future__ import annotations

from catalog.models import Service
from monitoring.layouts import Layout, Resources, layout_of


def layout_for(service: Service) -> Layout:
    """Return the series kept for the service as the catalog knows it now."""
    return layout_of(
        Resources(
            cluster=service.cluster,
            name=service.name,
            load_balancer=service.load_balancer,
            target_groups=tuple(service.target_group_dimensions),
            db_instance=service.db_instance,
            cache_cluster=service.cache_cluster,
        )
    )

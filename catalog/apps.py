from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "catalog"

    def ready(self) -> None:
        from celery.signals import task_postrun, worker_shutdown

        from aws import clients
        from catalog import usage

        clients.on_call(usage.heard)
        task_postrun.connect(usage.flush_if_due)
        worker_shutdown.connect(usage.flush_at_exit)

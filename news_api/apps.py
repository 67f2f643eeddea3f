from django.apps import AppConfig


class NewsApi(AppConfig):
    name = "news_api"
    label = "news_api"
    verbose_name = "News API"

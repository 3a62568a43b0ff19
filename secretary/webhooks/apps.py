from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "secretary.webhooks"
    label = "webhooks"

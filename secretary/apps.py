from django.apps import AppConfig


class SecretaryConfig(AppConfig):
    name = "secretary"

from django.apps import AppConfig


class ToolsConfig(AppConfig):
    name = "secretary.tools"
    label = "tools"

from secretary.webhooks.models.delivery import Delivery, DeliveryState
from secretary.webhooks.models.event import WebhookEvent
from secretary.webhooks.models.webhook import Webhook

__all__ = ["Delivery", "DeliveryState", "Webhook", "WebhookEvent"]

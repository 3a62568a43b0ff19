"""Which model a provider is asked for, also where nobody chose one: for the record, and for its price."""

from __future__ import annotations

from secretary.speech.catalogue import DECLARED
from secretary.speech.contract import Access, ProviderError
from secretary.speech.openai_realtime import address
from secretary.speech.pipeline.settings import pipeline_of


def model_of(provider: str, access: Access) -> str:
    """At Azure the deployment, of a pipeline the language model; empty where a provider has none to choose."""
    if provider == "openai-realtime":
        return address.model_of(access)
    if provider == "pipeline":
        try:
            return pipeline_of(access).llm.model
        except ProviderError:  # it will say so when it is opened
            return access.option("llm_model") or access.model
    declared = DECLARED.get(provider)
    return access.model or (declared.models[0] if declared is not None and declared.models else "")

from secretary.tools.models.caller_fact import CallerFact
from secretary.tools.models.http_tool import HttpMethod, HttpTool
from secretary.tools.models.prompt_version import PromptVersion

__all__ = ["CallerFact", "HttpMethod", "HttpTool", "PromptVersion"]

"""The speech pipeline: speech to text, a language model, text to speech, each by a service of the tenant's choice.

    settings.py   who does each stage, out of `Access`
    stt/ llm/ tts/   one file a vendor, one small contract each
    sentences.py  a model's text → sentences as they become complete
    speaker.py    sentences → voice, in order, the next one being made while one is played
    memory.py     the conversation as the caller heard it
    session.py    one call; provider.py: what a node's calls share

Self-hosted servers do for every stage, so a company can keep all of it on its own machines.
"""

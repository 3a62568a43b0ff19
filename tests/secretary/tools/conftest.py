from tests.cast import acme, globex

__all__ = ["acme", "globex"]

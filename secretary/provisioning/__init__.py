"""Setting up whole domains from a document: the bulk endpoint of the API, and `manage.py provision`.

    document ── parse ─▶ values ── plan ─▶ what is to be made, changed and deleted ── carry_out ─▶ rows

What a document leaves out stays as it is; with `prune` the objects that it does not name are deleted. Doing it twice
changes nothing the second time. One domain is one transaction.
"""

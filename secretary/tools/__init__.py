"""What a secretary can do besides talking, and what it is told: tools, instructions, disclosure, what is remembered.

`catalogue` names the tools and how a model is told of them; `schemas` judges what a model gives as arguments; `policy`
decides, outside of the model, what may be done with them; `box` runs them for one call. `instructions` says to a model
who it is, and `disclosure` what callers are told before anything else.
"""

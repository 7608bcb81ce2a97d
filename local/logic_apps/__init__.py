"""The workflows of `infra/logic-apps` without Azure: their definitions are walked here.

`syntax` parses expressions, `evaluate` gives their values, `walk` runs a definition.
"""

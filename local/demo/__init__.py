"""`make demo`: the whole story on one machine, and a proof of each of its claims.

`story` does, `facts` says what was done, `expectations` judges it, `screen` and `tables` show it;
`tell` puts them in order.
"""

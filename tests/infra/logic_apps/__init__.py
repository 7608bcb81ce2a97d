"""The Logic Apps workflows, walked: a small interpreter that refuses what it does not know."""

"""Logs Insights: the query language and what executes it.

Sources: the pages "CloudWatch Logs Insights language query syntax" of the user guide, one for each
command and one for functions. A command or function that is not here is a compile error.
"""

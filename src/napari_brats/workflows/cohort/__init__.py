"""Many patients, one run: from a folder or manifest to masks, records and one table.

`layout` names the output's files, `row` is one line of the table, `table` reads and writes it.
"""

"""Tables as plants have them (CSV, XLSX, XLS, ODS) to requests, by a mapping file.

The way of a cell: ``table`` reads rows, ``layout`` finds headings and leaves out what is no data,
``records`` makes requests of a row by the rules of ``form``, ``refused`` writes back what could
not be used. ``suggest`` proposes a mapping. Nothing here sends anything, and no key of a mapping
names a file.
"""

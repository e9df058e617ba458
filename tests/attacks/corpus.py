"""Values that broke somebody's API before. As JSON text, because some cannot be written by a JSON library."""

import json

TOO_DEEP = "[" * 10_000 + "]" * 10_000

# No text field may take these, wherever they come from.
POISON = {
    "NUL": '"a\\u0000b"',
    "lone high surrogate": '"\\ud800"',
    "lone low surrogate": '"\\udc00x"',
    "a megabyte": json.dumps("x" * 1_000_000),
    "too deep": TOO_DEEP,
}
ODD = {
    "null": "null",
    "true": "true",
    "empty string": '""',
    "blank": '"   "',
    "newlines": '"\\r\\n\\r\\n"',
    "zero": "0",
    "minus one": "-1",
    "minus zero": "-0.0",
    "a fraction": "0.1",
    "int32 + 1": str(2**31),
    "int64 + 1": str(2**63),
    "minus int64 - 1": str(-(2**63) - 1),
    "a hundred digits": "9" * 100,
    "five thousand digits": "9" * 5000,
    "1e400": "1e400",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "a number in a string": '"1"',
    "a huge number in a string": json.dumps("9" * 5000),
    "an exponent in a string": '"1e3"',
    "Arabic digits": '"٣"',
    "empty list": "[]",
    "list of null": "[null]",
    "list of lists": "[[[]]]",
    "list of objects": "[{}]",
    "ten thousand items": json.dumps(["x"] * 10_000),
    "list of NUL": '["\\u0000"]',
    "list of surrogates": '["\\ud800"]',
    "list of numbers": "[1, 2.5, -3]",
    "empty object": "{}",
    "object": '{"a": 1}',
    "prototype": '{"__proto__": {"is_staff": true}}',
    "object with an empty key": '{"": ""}',
    "object with a NUL key": '{"\\u0000": 1}',
    "object with a surrogate key": '{"\\ud800": 1}',
    "homoglyph": '"аlice"',
    "combining": '"é́́́"',
    "zero width": '"\\u200b"',
    "right to left": '"\\u202etxt.exe"',
    "emoji": '"👩‍👩‍👧‍👦"',
    "private use": '"\\ue000"',
    "not a character": '"\\uffff"',
    "byte order mark": '"\\ufeff"',
    "slashes": '"../../../../etc/passwd"',
    "percent": '"%00%s%n"',
    "SQL": '"\' OR 1=1; DROP TABLE posts_post; --"',
    "LIKE": '"%_\\\\"',
    "text search": '"a & | ! ( :* <->"',
    "regular expression": '"(a+)+$"',
    "markup": '"<script>alert(1)</script>"',
    "template": '"{{ 7*7 }}{% debug %}"',
    "javascript URL": '"javascript:alert(1)"',
    "file URL": '"file:///etc/passwd"',
    "metadata URL": '"http://169.254.169.254/latest/meta-data/"',
    "a date": '"2026-02-30"',
    "a date long ago": '"0001-01-01T00:00:00Z"',
    "a date far away": '"9999-12-31T23:59:59.999999+23:59"',
    "a leap second": '"2016-12-31T23:59:60Z"',
    "a time zone": '"Europe/Nowhere"',
}
VALUES = POISON | ODD
# What is left to say to `limit` and `cursor`, which are the same everywhere.
PAGING = {
    name: VALUES[name]
    for name in ("NUL", "lone low surrogate", "empty string", "blank", "zero", "minus one", "a fraction", "int64 + 1",
                 "a hundred digits", "five thousand digits", "NaN", "Arabic digits", "SQL", "an exponent in a string")
}  # fmt: skip

"""valid.py SCHEMA REPORT...: holds JSON reports against a schema; prints what is wrong as TAP comments, exits with 1.

SPDX-License-Identifier: Apache-2.0
"""
import json
import sys

import jsonschema

with open(sys.argv[1], encoding="utf-8") as file:
    validator = jsonschema.Draft7Validator(json.load(file))
bad = 0
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        for error in validator.iter_errors(json.load(file)):
            print("#", path, "/".join(map(str, error.path)), error.message[:300])
            bad = 1
sys.exit(bad)

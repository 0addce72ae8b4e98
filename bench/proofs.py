#!/usr/bin/env python3
"""Writes the user ids of fill.py, each with the HMAC that a backend would compute, a line each."""

import argparse
import base64
import hashlib
import hmac


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--users", type=int, required=True)
    args = parser.parse_args()
    for n in range(args.users):
        id = f"crm-{n:07}"
        mac = hmac.digest(args.secret.encode(), id.encode(), hashlib.sha256)
        print(id, base64.b64encode(mac).decode())


main()

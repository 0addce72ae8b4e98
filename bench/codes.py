#!/usr/bin/env python3
"""Writes authorization codes for users of fill.py, as a sign-in would, but good for an hour: beside a running server. Prints them, a line each."""

import argparse
import base64
import hashlib
import os
import sqlite3
import time

from fill import ulid


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--client", required=True)
    parser.add_argument("--redirect-uri", required=True)
    parser.add_argument("--challenge", required=True)
    parser.add_argument("--count", type=int, required=True)
    args = parser.parse_args()
    now = int(time.time() * 1_000_000)
    codes = [text(os.urandom(32)) for _ in range(args.count)]
    with sqlite3.connect(args.database, timeout=30) as db:
        users = [user for (user,) in db.execute("select user_id from users order by random() limit ?", (args.count,))]
        db.executemany(
            "insert into authorization_codes (project_id, code_hash, client_id, user_id, session_id, redirect_uri, "
            "redirect_uri_asked_at, scope, code_challenge, amr, acr, auth_time, user_generation, client_generation, "
            "project_generation, created_at, expires_at) values ('p1', ?, ?, ?, ?, ?, ?, 'openid email', ?, '[\"otp\"]', "
            "'urn:countersign:acr:one-factor', ?, 0, 0, 0, ?, ?)",
            (
                (text(hashlib.sha256(code.encode()).digest()), args.client, users[n % len(users)], "ses_" + ulid(now),
                 args.redirect_uri, now, args.challenge, now, now, now + 3_600_000_000)
                for n, code in enumerate(codes)
            ),
        )
    print("\n".join(codes))


def text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


main()

#!/usr/bin/env python3
"""Fills the SQLite database of a stopped server with users, each with an e-mail address, an external id, and sessions that are
all alive.

Rows are copies of the row that a real vouch wrote, with ids, hashes and times of their own.
"""

import argparse
import base64
import os
import random
import sqlite3
import time

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DAY = 24 * 3600 * 1_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--users", type=int, required=True)
    parser.add_argument("--sessions", type=int, required=True)
    args = parser.parse_args()
    with sqlite3.connect(args.database) as db:
        # A fill that fails is begun anew from nothing.
        db.execute("pragma journal_mode = off")
        db.execute("pragma synchronous = off")
        db.execute("pragma cache_size = -400000")
        users = fill_users(db, args.users)
        fill_sessions(db, users, args.sessions)
        db.commit()


def fill_users(db, count):
    user, identity = template(db, "users"), template(db, "identities")
    now = int(time.time() * 1_000_000)
    # Newcomers arrived over the last 20 days.
    times = [now - 20 * DAY + 19 * DAY * n // count for n in range(count)]
    ids = ["u_" + ulid(at) for at in times]
    insert(db, "users", user, (
        {"user_id": id, "created_at": at, "updated_at": at} for id, at in zip(ids, times)
    ))
    for kind, value in (("email", "user{:07}@example.com"), ("external_id", "crm-{:07}")):
        insert(db, "identities", identity, (
            {"kind": kind, "user_id": id, "value": value.format(n), "created_at": at, "verified_at": at}
            for n, (id, at) in enumerate(zip(ids, times))
        ))
    return ids


def fill_sessions(db, users, count):
    session = template(db, "sessions")
    now = int(time.time() * 1_000_000)
    lives = {name: session[name] - session["created_at"]
             for name in ("idle_expires_at", "expires_at", "access_expires_at")}

    def rows():
        for n in range(count):
            at = now - 20 * DAY + 20 * DAY * n // count
            changed = {name: at + life for name, life in lives.items()}
            changed |= {name: at for name in ("auth_time", "rotated_at", "created_at")}
            yield changed | {
                "session_id": "ses_" + ulid(at),
                "user_id": random.choice(users),
                "secret_hash": base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode(),
            }

    insert(db, "sessions", session, rows())


def template(db, table):
    """The newest row of a table, by column."""
    cursor = db.execute(f"select * from {table} order by created_at desc limit 1")
    row = cursor.fetchone()
    if row is None:
        raise SystemExit(f"{table} is empty: vouch for a user first")
    return {column[0]: value for column, value in zip(cursor.description, row)}


def insert(db, table, row, changes):
    """Writes a row for each change of a template."""
    columns = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    db.executemany(f"insert into {table} ({columns}) values ({values})", (row | change for change in changes))


def ulid(micros):
    number = (micros // 1000) << 80 | random.getrandbits(80)
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


if __name__ == "__main__":
    main()

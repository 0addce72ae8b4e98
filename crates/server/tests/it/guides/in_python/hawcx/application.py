"""The application, which the guide takes for granted: an app of Flask, and a cache."""

import time

from flask import Flask


class Cache:
    def __init__(self):
        self.kept = {}

    def set(self, name, value, seconds):
        self.kept[name] = (value, time.monotonic() + seconds)

    def get(self, name):
        value, until = self.kept.get(name, (None, 0))
        return value if time.monotonic() < until else None

    def delete(self, name):
        self.kept.pop(name, None)


app, cache = Flask("application"), Cache()

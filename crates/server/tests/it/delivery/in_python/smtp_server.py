"""A mail server that keeps what it takes in a folder. It refuses, waits or breaks off where the name of the recipient says so."""

import argparse
import asyncio
import collections
import email
import email.policy
import json
import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Keeper:
    def __init__(self, folder):
        self.folder = folder
        self.asked = collections.Counter()
        self.count = 0

    def keep(self, kind, what):
        self.count += 1
        path = self.folder / f"{self.count:04}.{kind}"
        whole = path.with_suffix(".part")
        whole.write_text(json.dumps(what))
        whole.rename(path)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if address.startswith("forged"):
            return f"553 5.7.1 <{address}> isn't yours"
        envelope.mail_from = address
        return "250 2.1.0 fine"

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.keep("asked", address)
        self.asked[address] += 1
        if address.startswith("gone"):
            return f"550 5.1.1 <{address}> is nobody"
        if address.startswith("busy") or (address.startswith("grey") and self.asked[address] == 1):
            return f"451 4.7.1 <{address}> come again later"
        if address.startswith("leaving"):
            return "421 4.3.2 closing"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("stall"):
            await asyncio.sleep(3600)
        if to.startswith("spam"):
            return f"554 5.7.1 not to <{to}>"
        read = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda it: {"type": it.get_content_type(), "content": it.get_content(), "charset": it.get_content_charset()}
        self.keep("taken", {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": session.auth_data.login.decode() if session.auth_data else None,
            "tls": session.ssl is not None or server.transport.get_extra_info("ssl_object") is not None,
            "type": read.get_content_type(),
            "headers": [[name, str(value)] for name, value in read.items()],
            "parts": [part(it) for it in read.iter_parts()],
            "defects": [str(it) for it in read.defects],
            "raw": envelope.content.decode("ascii"),
        })
        if to.startswith("lost") and self.asked[to] == 1:
            # It is taken, and nobody is told.
            server.transport.abort()
            await asyncio.sleep(3600)
        return "250 2.0.0 taken"


async def main():
    # What clients do wrong here, they do on purpose.
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--security", choices=["tls", "starttls", "none"], required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    wanted = parser.parse_args()

    def authenticate(server, session, envelope, mechanism, data):
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (wanted.user.encode(), wanted.password.encode())
        return AuthResult(success=is_right, handled=False, auth_data=data)

    tls = None
    if wanted.security != "none":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(wanted.certificate, wanted.key)
    keeper = Keeper(wanted.folder)
    starttls = wanted.security == "starttls"
    server = lambda: SMTP(
        keeper,
        hostname="mail.test",
        tls_context=tls if starttls else None,
        require_starttls=starttls,
        authenticator=authenticate if wanted.user else None,
        auth_required=bool(wanted.user),
        auth_require_tls=starttls,
        loop=asyncio.get_running_loop(),
    )
    listening = await asyncio.get_running_loop().create_server(
        server, "127.0.0.1", wanted.port, ssl=tls if wanted.security == "tls" else None
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

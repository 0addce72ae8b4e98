"""The guide's published client and the delegation envelope: what it makes, and what it makes of ours. Prints JSON."""

import json
import sys

from hawcx_oauth_client.delegation import crypto

told = json.loads(sys.argv[1])
with open(told["vectors"], encoding="utf-8") as file:
    vectors = json.load(file)


def pem(name, half):
    return vectors["keys"][name][f"{half}_pem"]


def takes(deed):
    try:
        deed()
        return True
    except crypto.DelegationCryptoError:
        return False


def verify(vector):
    verifier = crypto.Verifier({"hawcx": pem(vector["signed_by"], "public")})
    verifier.verify(vector["body"].encode(), int(vector["timestamp"]), vector["signature"], "ed25519", "hawcx")


opens = crypto.EciesX25519Decryptor(pem("idp_opens", "private"))
signs = crypto.Ed25519Signer(pem("sp_signs", "private"))
now = told["now"]
body = crypto.EciesX25519Encryptor(pem("idp_opens", "public")).encrypt(told["request"].encode())
answer = told["answer"]
print(
    json.dumps(
        {
            "opened": [opens.decrypt(it["body"].encode()).decode() == it["plaintext"] for it in vectors["sealed"]],
            "verified": [takes(lambda it=it: verify(it)) for it in vectors["signed"]],
            "same": [
                signs.sign_detached(it["body"].encode(), int(it["timestamp"])).signature_b64 == it["signature"]
                for it in vectors["signed"]
            ],
            "refused_by_us_alone": [
                it["name"]
                for it in vectors["refused_envelopes"]
                if takes(lambda it=it: opens.decrypt(it["body"].encode()))
            ],
            "body": body.decode(),
            "signature": signs.sign_detached(body, now).signature_b64,
            "answer": crypto.EciesX25519Decryptor(pem("sp_opens", "private")).decrypt(answer["body"].encode()).decode(),
            "answer_verified": takes(lambda: verify(answer)),
        }
    )
)

"""Verifies tokens, opens the key packet and translates ids with jwcrypto and cryptography only."""

import base64
import json
import pathlib
import sys
import urllib.request

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from jwcrypto import jwe, jwk, jwt

state, *ids = sys.argv[1:]
pairs = list(zip(ids[::2], ids[1::2]))
state = pathlib.Path(state)
demo = json.loads((state / "demo.json").read_text())


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(demo["url"] + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def claims(token, keys, audience):
    """Verifies a token with the key that its header names, and returns its claims."""
    verified = jwt.JWT(jwt=token, key=keys, algs=["EdDSA"], expected_type="JWS",
                       check_claims={"iss": "rampway", "aud": audience, "sub": demo["client_id"], "exp": None, "nbf": None})
    return json.loads(verified.claims)


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def translated(value, target, keys):
    label, payload = value[:6], None
    payload = AESSIV(keys[value[2:6]]).decrypt(decoded(value[6:]), [label.encode()])
    label = value[:2] + target
    return label + encoded(AESSIV(keys[target]).encrypt(payload, [label.encode()]))


credentials = {"client_id": demo["client_id"], "client_secret": demo["client_secret"]}
keys = jwk.JWKSet.from_json(json.dumps(call("/.well-known/jwks.json")))
init = claims(call("/token/init", credentials)["init_token"], keys, "transcoder-init")
smart = claims(init["smart_token"], keys, "transcoder")
assert smart["exp"] - smart["iat"] == 900, smart
assert {"from": "1005", "to": ["1006", "1007"]} in smart["scopes"], smart["scopes"]

packet = jwe.JWE(algs=["RSA-OAEP-256", "A256CBC-HS512"])
packet.deserialize(init["key_packet"], jwk.JWK.from_pem((state / "model" / "private_key.pem").read_bytes()))
packet = json.loads(packet.payload)
assert packet["client_id"] == demo["client_id"] and packet["id"] == init["packet_id"], packet.keys()
domain_keys = {entry["domain"]: decoded(entry["keys"][0]["key"]) for entry in packet["domains"]}

token = call("/auth/init", credentials)["smart_token"]
values = [value for value, _ in pairs]
response = call("/auth/request", {"smart_token": token, "transcode_data": [{"target": "1006", "values": values}]})
assert response == [{"values": [expected for _, expected in pairs], "errors": []}], response
for value, expected in pairs:
    assert translated(value, "1006", domain_keys) == expected, value
    assert translated(expected, "1005", domain_keys) == value, expected
print(f"second implementation: {len(pairs)} ids translated in both directions, tokens verified, key packet opened")

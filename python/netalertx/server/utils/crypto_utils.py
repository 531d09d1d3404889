"""Made-up addresses, and the cipher in which nodes send each other their files."""

import base64
import hashlib


def string_to_fake_mac(input_string):
    """An address for a thing without one; the same text always gives the same address."""
    digest = hashlib.sha256(str(input_string).encode("utf-8")).digest()
    return "fa:ce:" + ":".join(f"{byte:02x}" for byte in digest[2:6])


def prepare_key(encryption_key):
    """The 32 bytes of an AES-256 key from a key text."""
    return hashlib.sha256(encryption_key.encode("utf-8")).digest()


def _cipher(key, iv=None):
    # Imported where it is used: most scripts need none of it. Debian's package has the longer name.
    try:
        from Cryptodome.Cipher import AES
    except ImportError:
        try:
            from Crypto.Cipher import AES
        except ImportError:
            raise ImportError("files of other nodes need the Python package pycryptodome") from None
    return AES.new(prepare_key(key), AES.MODE_CBC, iv=iv)


def encrypt_data(data, encryption_key):
    """AES-256-CBC with PKCS#7: base64 of the IV (24 characters), then base64 of the ciphertext."""
    cipher = _cipher(encryption_key)
    plain = data.encode("utf-8")
    missing = 16 - len(plain) % 16
    body = cipher.encrypt(plain + bytes([missing]) * missing)
    return base64.b64encode(cipher.iv).decode("ascii") + base64.b64encode(body).decode("ascii")


def decrypt_data(data, encryption_key):
    """What encrypt_data was given. Raises ValueError for a wrong key or a torn text."""
    iv, body = base64.b64decode(data[:24]), base64.b64decode(data[24:])
    padded = _cipher(encryption_key, iv).decrypt(body)
    missing = padded[-1] if padded else 0
    if not 1 <= missing <= 16 or padded[-missing:] != bytes([missing]) * missing:
        raise ValueError("wrong key, or a torn text")
    return padded[:-missing].decode("utf-8")

"""Made-up addresses, and the cipher in which nodes send each other their files."""

import base64
import hashlib
import os


def string_to_fake_mac(input_string):
    """An address for a thing without one; the same text always gives the same address."""
    digest = hashlib.sha256(str(input_string).encode("utf-8")).digest()
    return "fa:ce:" + ":".join(f"{byte:02x}" for byte in digest[2:6])


def prepare_key(encryption_key):
    """The 32 bytes of an AES-256 key from a key text."""
    return hashlib.sha256(encryption_key.encode("utf-8")).digest()


def encrypt_data(data, encryption_key):
    """AES-256-CBC with PKCS#7: base64 of the IV (24 characters), then base64 of the ciphertext."""
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    iv = os.urandom(16)
    padder = padding.PKCS7(128).padder()
    padded = padder.update(data.encode("utf-8")) + padder.finalize()
    encryptor = Cipher(algorithms.AES(prepare_key(encryption_key)), modes.CBC(iv)).encryptor()
    cipher = encryptor.update(padded) + encryptor.finalize()
    return base64.b64encode(iv).decode("ascii") + base64.b64encode(cipher).decode("ascii")


def decrypt_data(data, encryption_key):
    """What encrypt_data was given. Raises ValueError for a wrong key or a torn text."""
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    iv, cipher = base64.b64decode(data[:24]), base64.b64decode(data[24:])
    decryptor = Cipher(algorithms.AES(prepare_key(encryption_key)), modes.CBC(iv)).decryptor()
    padded = decryptor.update(cipher) + decryptor.finalize()
    unpadder = padding.PKCS7(128).unpadder()
    return (unpadder.update(padded) + unpadder.finalize()).decode("utf-8")

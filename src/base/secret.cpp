#include "base/secret.h"

#include <utility>

#include <openssl/crypto.h>

namespace backplane {

void Wipe(std::string& text) {
  text.resize(text.capacity());  // what an earlier, longer content left counts too
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Secret Secret::Take(std::string& text) {
  Secret secret(text);
  Wipe(text);
  return secret;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    WipeBytes();
    bytes_ = std::exchange(other.bytes_, {});
  }
  return *this;
}

Secret::~Secret() { WipeBytes(); }

void Secret::WipeBytes() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

}  // namespace backplane

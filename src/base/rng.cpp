#include "base/rng.h"

#include <cerrno>
#include <stdexcept>

#include <sys/random.h>

#include "base/text.h"

namespace backplane {

std::string RandomBytes(std::size_t bytes) {
  std::string raw(bytes, '\0');
  std::size_t filled = 0;
  while (filled < bytes) {
    const ssize_t got = getrandom(raw.data() + filled, bytes - filled, 0);
    if (got < 0 && errno != EINTR) throw std::runtime_error("the kernel gives no random bytes");
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return raw;
}

std::string SecretHex(std::size_t bytes) { return ToHex(RandomBytes(bytes)); }

}  // namespace backplane

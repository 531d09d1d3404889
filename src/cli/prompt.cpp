#include "cli/prompt.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

namespace backplane::cli {
namespace {

constexpr char kInterrupt = 3;  // what Ctrl-C types while it is no signal

// What is typed is not shown, and Ctrl-C does not end us before the terminal is as it was.
class Hidden {
 public:
  Hidden() : changed_(tcgetattr(STDIN_FILENO, &before_) == 0) {
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~Hidden() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    std::fputc('\n', stderr);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  bool changed_;
};

// Up to one byte more than `limit`; of a terminal one line.
Status ReadInput(std::string& text, std::size_t limit, bool line) {
  text.reserve(limit + 1);  // growing would leave copies
  while (text.size() <= limit) {
    char c = 0;
    const ssize_t got = read(STDIN_FILENO, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Fail(Errc::kUnavailable, fmt::format("standard input: {}", std::strerror(errno)));
    if (got == 0 || (line && c == '\n')) break;
    if (line && c == kInterrupt) return Fail(Errc::kUnavailable, "interrupted");
    text += c;
  }
  return {};
}

}  // namespace

Result<Secret> AskSecret(const std::string& prompt, std::size_t limit) {
  std::string text;
  Status status;
  if (isatty(STDIN_FILENO) != 0) {
    const Hidden hidden;  // before the prompt: what was typed until then is thrown away
    std::fputs(prompt.c_str(), stderr);
    status = ReadInput(text, limit, true);
  } else {
    status = ReadInput(text, limit + 2, false);
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }
  Secret secret = Secret::Take(text);
  BACKPLANE_TRY(status);
  if (secret.empty()) return Fail(Errc::kUnavailable, "nothing was given");
  if (secret.size() > limit) return Fail(Errc::kInvalid, fmt::format("more than {} bytes were given", limit));
  return secret;
}

}  // namespace backplane::cli

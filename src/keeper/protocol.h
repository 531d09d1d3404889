// What the daemon and the keeper say to each other: JSON messages behind a length of four
// bytes, least significant first, over one stream socket.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace backplane::keeper {

/// Longer messages are refused and skipped.
inline constexpr std::size_t kMaxMessage = 16 << 20;
/// In the environment of every process that the keeper starts; the value is unique per run.
inline constexpr std::string_view kMarkVariable = "BACKPLANE_MARK";

/// A process to start. Complete: nothing comes from the keeper's own environment but the mark.
struct SpawnRequest {
  std::int64_t id = 0;  ///< more than zero; given by KeeperClient
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
  std::filesystem::path working_folder;
  std::filesystem::path log_folder;  ///< exists; holds no segments yet
  std::int64_t segment_bytes = 1 << 20;
  int segments = 5;               ///< kept; the oldest is dropped
  Millis timeout{0};              ///< 0: none
  Millis grace{0};                ///< between SIGTERM and SIGKILL after a time-out
  std::int64_t memory_bytes = 0;  ///< address space; 0: no limit
};

/// Ends a run early: SIGTERM to its group, SIGKILL after the grace (at once if that is 0).
struct KillRequest {
  std::int64_t id = 0;
  Millis grace{0};
};

using Command = std::variant<SpawnRequest, KillRequest>;

/// How a run ended. Sent after the last of its processes is gone.
struct ExitReport {
  enum class Ending {
    kExited,      ///< `value` is the exit code
    kSignalled,   ///< `value` is the signal
    kNotStarted,  ///< `error` says why
    kKeeperDied,  ///< never sent: made by the client
  };
  Ending ending = Ending::kExited;
  int value = 0;
  bool timed_out = false;
  bool cancelled = false;        ///< by a KillRequest, or because the daemon went away
  std::int64_t log_bytes = 0;    ///< written by the run
  std::int64_t log_dropped = 0;  ///< of them no longer in the segments
  int left = 0;                  ///< processes that had to be killed after the main one had ended by itself
  std::string error;
};

struct Event {
  enum class Kind {
    kReady,    ///< what an earlier keeper left is gone
    kStarted,  ///< the handle is on disk and the child may execute
    kEnded,
    kError,  ///< a message was refused
  };
  Kind kind = Kind::kReady;
  std::int64_t id = 0;
  std::int64_t pid = 0;
  std::uint64_t start_time = 0;  ///< of `pid`, in the kernel's ticks since boot
  ExitReport report;             ///< kEnded
  std::string error;             ///< kError
};

/// kInvalid: some text is not UTF-8, or the message would be too long.
Result<std::string> EncodeCommand(const Command& command);
/// kInvalid names the field.
Result<Command> DecodeCommand(std::string_view message);
std::string EncodeEvent(const Event& event);
Result<Event> DecodeEvent(std::string_view message);

/// The message with its length in front.
std::string Frame(std::string_view message);

/// Cuts a byte stream into messages.
class FrameReader {
 public:
  void Feed(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole message; nothing if more bytes are needed. kInvalid: a message was too long
  /// and is skipped; go on.
  std::optional<Result<std::string>> Next();

 private:
  std::string buffer_;
  std::uint64_t skip_ = 0;
};

}  // namespace backplane::keeper

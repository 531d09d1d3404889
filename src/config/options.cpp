#include "config/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backplane::config {
namespace {

class ReferenceWriter final : public OptionVisitor {
 public:
  void Text(std::string_view name, std::string& value, std::string_view sentence) override {
    Write(name, value.empty() ? "(see below)" : fmt::format("\"{}\"", value), "text", sentence);
  }
  void Choice(std::string_view name, std::string& value, const std::vector<std::string_view>& choices,
              std::string_view sentence) override {
    Write(name, fmt::format("\"{}\"", value), fmt::format("one of {}", fmt::join(choices, ", ")), sentence);
  }
  void Integer(std::string_view name, std::int64_t& value, std::int64_t least, std::int64_t most,
               std::string_view sentence) override {
    Write(name, fmt::format("{}", value), fmt::format("{} to {}", least, most), sentence);
  }
  void Duration(std::string_view name, Millis& value, Millis least, Millis most, std::string_view sentence) override {
    Write(name, fmt::format("\"{}\"", FormatDuration(value)),
          fmt::format("{} to {}", FormatDuration(least), FormatDuration(most)), sentence);
  }
  std::string text;

 private:
  void Write(std::string_view name, std::string_view value, std::string_view limits, std::string_view sentence) {
    text += fmt::format("- `{}` = `{}` ({}; `{}`): {}\n", name, value, limits, EnvironmentName(name), sentence);
  }
};

}  // namespace

void Describe(Options& o, OptionVisitor& v) {
  using std::chrono::hours;
  v.Text("listen", o.listen,
         "Address and port of the API. Other addresses than loopback are refused until there is an admin who can sign "
         "in; put a proxy that speaks TLS in front of them. Port 0 takes a free one.");
  v.Text("hosts", o.hosts,
         "Names, separated by commas, under which people reach the API, besides loopback and the address of listen. "
         "Requests that name another one in Host are refused. Default: none.");
  v.Text("data", o.data,
         "Folder for the store, logs and token, readable by its owner only. Default: /var/lib/backplane for root, "
         "else $XDG_DATA_HOME/backplane or ~/.local/share/backplane.");
  v.Text("python", o.python, "Interpreter that runs Python plugins.");
  v.Text("path", o.path,
         "Folders in which plugins' programs are looked for before those of the system, separated by colons.");
  v.Choice("log_level", o.log_level, {"debug", "info", "warning", "error"},
           "The least important lines that the program writes to standard error.");
  v.Choice("store.synchronous", o.synchronous, {"normal", "full"},
           "What a power loss may cost: with normal the last moments before it, never half of something; full waits "
           "for the disk at each commit. A crash of the program costs nothing with either.");
  v.Choice("trust", o.trust, {"review", "auto"},
           "Which plugins run: with review those that a person has approved, by content (`backplane plugins approve`); "
           "with auto whatever lies in the plugin folders, for development.");
  v.Duration("rescan", o.rescan, std::chrono::seconds(1), hours(24),
             "How often the plugin folders are read again: what came, changed or went is taken up without a restart.");
  v.Integer("runs.workers", o.workers, 1, 1024,
            "How many runs there may be side by side. One plugin has three quarters of them at most, so that one whose "
            "runs all hang does not stop the others.");
  v.Integer("runs.keep", o.runs_keep, 1, 100'000,
            "Runs kept per plugin and target; of the older ones only failures and those that changed something stay.");
  v.Integer("runs.keep_all", o.runs_keep_all, 1, 1'000'000, "Runs kept per plugin and target at most.");
  v.Integer("objects.history_keep", o.objects_history_keep, 1, 10'000'000,
            "Lines of the history of objects that are kept per plugin, and as many reports that nobody has taken.");
  v.Duration("sessions.keep", o.sessions_keep, std::chrono::minutes(1), hours(24 * 365),
             "How long somebody who has signed in stays signed in.");
  v.Duration("sessions.idle", o.sessions_idle, std::chrono::minutes(2), hours(24 * 365),
             "How long a session lasts without a request.");
  v.Duration("journal.keep", o.journal_keep, Millis(0), hours(24 * 365),
             "How long accepted results stay in the journal once they are folded.");
  v.Duration("audit.keep", o.audit_keep, hours(24), hours(24 * 3650), "How long the audit log tells who did what.");
  v.Duration("events.keep", o.events_keep, Millis(60'000), hours(24 * 3650),
             "How long events can be read back. A reader that was away longer is told to start afresh.");
  v.Choice("devices.presence", o.presence, {"scanner", "pass"},
           "When a device is gone. With scanner: when the most frequent of the scanners that see it has ended well "
           "without it, and nobody has heard of it since that run began. With pass: when no scanner of a pass has seen "
           "it.");
  v.Choice("devices.own_host", o.own_host, {"yes", "no"},
           "Whether this machine is a device as well, by the network card that its default route leads through.");
  v.Duration("devices.events_keep", o.device_events_keep, hours(1), hours(24 * 3650),
             "How long is kept when devices came and went. What people are still to be told of stays.");
  v.Integer("notifications.keep", o.notifications_keep, 1, 1'000'000,
            "Notifications that are kept once they are sent.");
  v.Duration("metrics.keep", o.metrics_keep, hours(1), hours(24 * 3650),
             "How long samples of metrics are kept. Samples that are older when they arrive are not taken.");
  v.Text("secrets.key_file", o.key_file,
         "File with the key that encrypts the secrets, readable by its owner only; made for the first secret. Default: "
         "secret.key in the data folder. Keep a copy elsewhere: without it nobody can read the secrets.");
  v.Text("secrets.passphrase_file", o.passphrase_file,
         "File with a passphrase that encrypts the secrets, instead of a key file. Default: none.");
}

std::string EnvironmentName(std::string_view option) {
  std::string name = "BACKPLANE_";
  for (const char c : option) name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

std::string OptionReference() {
  Options defaults;
  ReferenceWriter writer;
  Describe(defaults, writer);
  return writer.text;
}

}  // namespace backplane::config

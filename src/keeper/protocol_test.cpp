// A keeper at the other end of a bare socket, and what is said there.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keeper/keeper_fixture.h"

namespace backplane::keeper {
namespace {

using testing::HasSubstr;

class WireTest : public KeeperTest {
 protected:
  void Connect() {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_ = Fd(ends[0]);
    const Fd theirs(ends[1]);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, theirs.get(), 3);
    std::string words[] = {kKeeper, "--folder", folder_ / "keeper", "--fd", "3"};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), words[4].data(), nullptr};
    ASSERT_EQ(posix_spawn(&pid_, kKeeper.c_str(), &actions, nullptr, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    ASSERT_EQ(Receive(), R"({"event":"ready"})");
  }
  void Send(const std::string& bytes) {
    ASSERT_EQ(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  std::string Receive() {
    while (true) {
      if (auto message = reader_.Next()) return **message;
      pollfd polled{socket_.get(), POLLIN, 0};
      char bytes[4096];
      if (poll(&polled, 1, 60'000) != 1) return "nothing";
      const ssize_t got = recv(socket_.get(), bytes, sizeof bytes, 0);
      if (got <= 0) return "end";
      reader_.Feed({bytes, static_cast<std::size_t>(got)});
    }
  }

  Fd socket_;
  pid_t pid_ = 0;
  FrameReader reader_;
};

TEST_F(WireTest, AnswersNonsenseAndGoesOn) {
  Connect();
  for (const char* message :
       {"", "{", "[]", "null", "{}", R"({"command":1})", R"({"command":"dance"})", R"({"command":"kill"})",
        R"({"command":"kill","id":-1,"grace_ms":0})", R"({"command":"kill","id":18446744073709551615,"grace_ms":0})",
        R"({"command":"spawn","id":1,"argv":[]})", R"({"command":"spawn","id":1,"argv":["a\u0000b"]})",
        R"({"command":"spawn","id":1,"argv":["x"],"env":{"A=B":"c"}})",
        R"({"command":"spawn","id":1,"argv":["x"],"env":{},"cwd":"/","log_folder":"/","segment_bytes":0})"}) {
    Send(Frame(message));
    EXPECT_THAT(Receive(), HasSubstr(R"({"event":"error","error":)")) << message;
  }
  std::string huge = Frame("");
  huge[3] = 2;  // 32 MiB follow
  Send(huge);
  EXPECT_THAT(Receive(), HasSubstr("longer than"));
  for (int i = 0; i < 32; ++i) Send(std::string(1 << 20, 'x'));
  Send(Frame(R"({"command":"dance"})"));
  EXPECT_THAT(Receive(), HasSubstr("no such command: dance"));
  socket_.Reset();
  EXPECT_EQ(Reap(pid_), 0);
}

TEST_F(WireTest, ReportsStartAndExitInOrder) {
  Connect();
  auto request = Shell("exit 9");
  request.id = 42;
  Send(Frame(*EncodeCommand(request)));
  auto event = DecodeEvent(Receive());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Event::Kind::kStarted);
  EXPECT_GT(event->pid, 0);
  EXPECT_THAT(*ReadFile(folder_ / "keeper" / "handles", 10'000),
              HasSubstr(fmt::format("\n42 {} {} ", event->pid, event->start_time)));
  event = DecodeEvent(Receive());
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Event::Kind::kEnded);
  EXPECT_EQ(event->id, 42);
  EXPECT_EQ(event->report.value, 9);
  socket_.Reset();
  EXPECT_EQ(Reap(pid_), 0);
}

TEST_F(WireTest, RecordsTheExitBeforeItReports) {
  setenv("BACKPLANE_CRASH_AT", "keeper.exit.before_report", 1);
  Connect();
  auto request = Shell("exit 9");
  request.id = 1;
  Send(Frame(*EncodeCommand(request)));
  Receive();
  EXPECT_EQ(Receive(), "end");
  EXPECT_EQ(WTERMSIG(Reap(pid_)), SIGKILL);
  EXPECT_THAT(*ReadFile(folder_ / "keeper" / "exits", 10'000), HasSubstr("\"code\":9"));
}

TEST_F(WireTest, ASecondKeeperWaitsForTheFirst) {
  Connect();
  auto request = Shell("echo $$ > main; exec sleep 1000");
  request.id = 1;
  Send(Frame(*EncodeCommand(request)));
  pid_t main = 0;
  Process("main", &main);
  auto second = std::async(std::launch::async, [&] { return KeeperClient::Start(kKeeper, folder_ / "keeper"); });
  socket_.Reset();
  EXPECT_EQ(Reap(pid_), 0);
  auto client = second.get();
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_FALSE(IsAlive(main));
}

TEST(Protocol, CarriesEveryField) {
  SpawnRequest request;
  request.id = 5;
  request.argv = {"a", "ü \" \n"};
  request.environment = {{"A", ""}, {"B", "c"}};
  request.working_folder = "/w";
  request.log_folder = "/l";
  request.segment_bytes = 11;
  request.segments = 3;
  request.timeout = Millis(12);
  request.grace = Millis(13);
  request.memory_bytes = 14;
  const auto text = EncodeCommand(request);
  ASSERT_TRUE(text);
  const auto decoded = DecodeCommand(*text);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*EncodeCommand(*decoded), *text);
  EXPECT_EQ(std::get<SpawnRequest>(*decoded).argv, request.argv);

  Event event;
  event.kind = Event::Kind::kEnded;
  event.id = 5, event.pid = 6, event.start_time = 7;
  event.report = {Ending::kSignalled, 9, true, true, 10, 11, 12, ""};
  EXPECT_EQ(EncodeEvent(*DecodeEvent(EncodeEvent(event))), EncodeEvent(event));
}

}  // namespace
}  // namespace backplane::keeper

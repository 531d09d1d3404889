#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/files.h"
#include "base/log.h"
#include "http/http.h"

namespace backplane::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr Millis kLong{30'000};

/// A folder that goes with the test.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "bp-http-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What handlers put in and tests wait for.
template <typename T>
class Box {
 public:
  void Put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  T Take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kLong, [this] { return !values_.empty(); })) throw std::runtime_error("nothing came");
    T value = std::move(values_.front());
    values_.erase(values_.begin());
    return value;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<T> values_;
};

std::unique_ptr<Server> StartServer(ServerOptions options, Handler handler) {
  options.port = 0;
  auto server = Server::Start(options, std::move(handler));
  if (!server) throw std::runtime_error(server.error().message);
  return std::move(*server);
}

Endpoint Local(const Server& server) { return {.host = "127.0.0.1", .port = server.port()}; }

Request Get(std::string path) { return {.method = "GET", .path = std::move(path)}; }

void Echo(const Request& request, Responder responder) {
  responder.Send({.body = fmt::format("{} {} {}", request.method, request.path, request.body),
                  .content_type = "text/plain",
                  .headers = {{"X-Local", request.local_socket ? "yes" : "no"}}});
}

/// A client that sends any bytes.
class RawClient {
 public:
  explicit RawClient(const Server& server) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(std::strerror(errno));
    const timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  /// One answer with a Content-Length.
  std::string Receive(bool with_body = true) {
    while (buffer_.find("\r\n\r\n") == std::string::npos)
      if (!More()) return std::exchange(buffer_, {});
    std::size_t end = buffer_.find("\r\n\r\n") + 4;
    const std::size_t length = buffer_.find("Content-Length: ");
    if (with_body && length < end) end += std::stoul(buffer_.substr(length + 16));
    while (buffer_.size() < end)
      if (!More()) break;
    std::string answer = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return answer;
  }
  std::string ReceiveAll() {
    while (More()) {
    }
    return std::exchange(buffer_, {});
  }
  void ShutdownSend() { shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.Reset(); }

 private:
  bool More() {
    char chunk[4096];
    const ssize_t got = recv(fd_.get(), chunk, sizeof chunk, 0);
    if (got > 0) buffer_.append(chunk, static_cast<std::size_t>(got));
    return got > 0;
  }
  Fd fd_;
  std::string buffer_;
};

bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(HttpServer, AnswersOverTcpAndUnixSocket) {
  const ScratchFolder folder;
  ServerOptions options;
  options.socket = folder / "socket";
  const auto server = StartServer(options, Echo);
  ASSERT_NE(server->port(), 0);
  struct stat info{};
  ASSERT_EQ(stat(options.socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);

  const Request request{.method = "POST", .path = "/ä b", .body = std::string(3'000'000, 'x')};
  const auto tcp = Fetch(Local(*server), request, kLong);
  ASSERT_TRUE(tcp) << tcp.error().message;
  EXPECT_EQ(tcp->status, 200);
  EXPECT_EQ(tcp->content_type, "text/plain");
  EXPECT_EQ(tcp->headers.at("x-local"), "no");
  EXPECT_EQ(tcp->body, "POST /ä b " + request.body);
  const auto unix = Fetch({.socket = options.socket}, request, kLong);
  ASSERT_TRUE(unix) << unix.error().message;
  EXPECT_EQ(unix->headers.at("x-local"), "yes");
  EXPECT_EQ(unix->body, tcp->body);
}

TEST(HttpServer, PassesQueryAndHeadersOn) {
  const auto server = StartServer({}, [](const Request& request, Responder responder) {
    responder.Send({.body = request.query.at("a b") + request.query.at("c") + std::string(request.Header("X-H"))});
  });
  Request request = Get("/");
  request.query = {{"a b", "1+1"}, {"c", "&="}};
  request.headers["X-H"] = "h";
  const auto answer = Fetch(Local(*server), request, kLong);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "1+1&=h");
}

TEST(HttpServer, KeepsTheConnectionForFurtherAndPipelinedRequests) {
  const auto server = StartServer({}, Echo);
  RawClient client(*server);
  client.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Receive(), HasSubstr("GET /1"));
  client.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\nPOST /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
  client.Send("GET /4 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.Receive(), HasSubstr("GET /2"));
  EXPECT_THAT(client.Receive(), HasSubstr("POST /3 ab"));
  const std::string last = client.ReceiveAll();
  EXPECT_THAT(last, HasSubstr("GET /4"));
  EXPECT_THAT(last, HasSubstr("Connection: close"));
}

TEST(HttpServer, SendsHeadWithoutBody) {
  const auto server = StartServer({}, Echo);
  RawClient client(*server);
  client.Send("HEAD /12345 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Receive(false), HasSubstr("Content-Length: 11\r\n"));
  client.Send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Receive(), StartsWith("HTTP/1.1 200 OK\r\n"));
  const auto answer = Fetch(Local(*server), {.method = "HEAD", .path = "/"}, kLong);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "");
}

TEST(HttpServer, TellsAClientThatAsksToContinue) {
  const auto server = StartServer({}, Echo);
  RawClient client(*server);
  client.Send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("abc");
  EXPECT_THAT(client.Receive(), HasSubstr("POST /p abc"));
  client.Send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(client.ReceiveAll(), StartsWith("HTTP/1.1 413 "));
}

TEST(HttpServer, AnswersLaterFromAnotherThread) {
  Box<Responder> box;
  ServerOptions options;
  options.workers = 1;
  const auto server = StartServer(options, [&](const Request& request, Responder responder) {
    if (request.path == "/poll") return box.Put(responder);
    Echo(request, responder);
  });
  RawClient poller(*server);
  poller.Send("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n");
  const Responder responder = box.Take();
  EXPECT_FALSE(responder.Abandoned());
  const auto other = Fetch(Local(*server), Get("/other"), kLong);
  ASSERT_TRUE(other) << "the only worker is free while the poll waits: " << other.error().message;
  std::thread([&] {
    responder.Send({.body = "first"});
    responder.Send({.body = "second"});
  }).join();
  EXPECT_THAT(poller.Receive(), HasSubstr("first"));
  poller.Send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(poller.Receive(), HasSubstr("GET /again"));
}

TEST(HttpServer, AnswersForHandlersThatDropOrThrow) {
  const auto server = StartServer({}, [](const Request& request, Responder) {
    if (request.path == "/throw") throw std::runtime_error("a bug");
  });
  for (const char* path : {"/drop", "/throw"}) {
    const auto answer = Fetch(Local(*server), Get(path), kLong);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, 500);
    EXPECT_EQ(answer->content_type, "application/problem+json");
  }
}

TEST(HttpServer, NoticesThatTheClientHungUp) {
  Box<Responder> box;
  const auto server = StartServer({}, [&](const Request&, Responder responder) { box.Put(responder); });
  for (const std::string_view ahead : {"", "GET /pipelined HTTP/1.1\r\nHost: h\r\n\r\n"}) {
    RawClient client(*server);
    client.Send(fmt::format("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n{}", ahead));
    const Responder responder = box.Take();
    EXPECT_FALSE(responder.Abandoned());
    client.Close();
    EXPECT_TRUE(Eventually([&] { return responder.Abandoned(); }));
    responder.Send({});
  }
}

TEST(HttpServer, StillAnswersAClientThatOnlyEndedItsSending) {
  const auto server = StartServer({}, Echo);
  RawClient client(*server);
  client.Send("GET /half HTTP/1.1\r\nHost: h\r\n\r\n");
  client.ShutdownSend();
  EXPECT_THAT(client.ReceiveAll(), HasSubstr("GET /half"));

  RawClient pipelining(*server);
  pipelining.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /rest");
  pipelining.ShutdownSend();
  EXPECT_THAT(pipelining.ReceiveAll(), testing::AllOf(HasSubstr("GET /1"), HasSubstr("GET /2")));
}

TEST(HttpServer, RefusesBySizeAndShape) {
  ServerOptions options;
  options.header_bytes = 1024;
  options.body_bytes = 1000;
  std::atomic<int> handled{0};
  const auto server = StartServer(options, [&](const Request& request, Responder responder) {
    ++handled;
    Echo(request, responder);
  });
  const std::string much(200'000, 'x');
  const std::pair<std::string, std::string_view> cases[] = {
      {"nonsense\r\n\r\n" + much, "HTTP/1.1 400 Bad Request\r\n"},
      {"GET / HTTP/1.1\r\nHost: h\r\nX: " + much, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + much, "HTTP/1.1 413 Content Too Large\r\n"},
      {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n", "HTTP/1.1 413 "},
  };
  for (const auto& [bytes, start] : cases) {
    RawClient client(*server);
    client.Send(bytes);
    const std::string answer = client.ReceiveAll();
    EXPECT_THAT(answer, StartsWith(std::string(start)));
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer, HasSubstr(R"("type":"about:blank")"));
  }
  EXPECT_EQ(handled, 0);
}

TEST(HttpServer, SendsTooManyAwayAndServesTheRest) {
  Box<int> started;
  std::mutex gate;
  ServerOptions options;
  options.workers = 1;
  options.max_waiting = 1;
  const auto server = StartServer(options, [&](const Request& request, Responder responder) {
    started.Put(0);
    const std::lock_guard wait(gate);
    Echo(request, responder);
  });
  std::unique_lock held(gate);
  RawClient running(*server);
  running.Send("GET /running HTTP/1.1\r\nHost: h\r\n\r\n");
  started.Take();
  // Of two more one waits, and the other is sent away at once.
  Box<Result<Response>> answers;
  std::vector<std::thread> two;
  for (int i = 0; i < 2; ++i) two.emplace_back([&] { answers.Put(Fetch(Local(*server), Get("/more"), kLong)); });
  const auto refused = answers.Take();
  ASSERT_TRUE(refused) << refused.error().message;
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(refused->headers.at("Retry-After"), "1");
  held.unlock();
  const auto served = answers.Take();
  ASSERT_TRUE(served) << served.error().message;
  EXPECT_EQ(served->status, 200);
  EXPECT_THAT(running.Receive(), StartsWith("HTTP/1.1 200 OK"));
  for (std::thread& thread : two) thread.join();
}

TEST(HttpServer, ClosesSlowAndIdleConnections) {
  ServerOptions options;
  options.read_timeout = Millis(30);
  options.idle_timeout = Millis(60);
  const auto server = StartServer(options, Echo);
  RawClient slow(*server);
  slow.Send("GET / HTTP/1.1\r\nHost");
  EXPECT_EQ(slow.ReceiveAll(), "");
  RawClient idle(*server);
  EXPECT_EQ(idle.ReceiveAll(), "");
  RawClient after_one(*server);
  after_one.Send("GET /one HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(after_one.ReceiveAll(), HasSubstr("GET /one"));
}

TEST(HttpServer, ClosesConnectionsBeyondTheLimit) {
  ServerOptions options;
  options.max_connections = 2;
  const auto server = StartServer(options, Echo);
  RawClient first(*server);
  RawClient second(*server);
  for (RawClient* client : {&first, &second}) {
    client->Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_THAT(client->Receive(), StartsWith("HTTP/1.1 200"));
  }
  RawClient third(*server);
  EXPECT_EQ(third.ReceiveAll(), "");
  first.Close();
  EXPECT_TRUE(Eventually([&] {
    const auto answer = Fetch(Local(*server), Get("/"), kLong);
    return answer && answer->status == 200;
  }));
}

TEST(HttpServer, GoesOnAfterItRanOutOfDescriptors) {
  const auto server = StartServer({}, Echo);
  // UBSan needs descriptors to look at a type for the first time.
  LogInfo("the server is about to run out of descriptors");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  RawClient client(*server);  // proves that the loop runs
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.Receive();
  // The waiting client has its descriptor already; the server gets none for its side.
  const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(server->port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  client.Send("GET /still HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.Receive(), HasSubstr("GET /still")) << "connections in being go on";
  setrlimit(RLIMIT_NOFILE, &before);
  const auto answer = Fetch(Local(*server), Get("/again"), kLong);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
}

TEST(HttpServer, ReplacesAStaleSocketAndRemovesItsOwn) {
  const ScratchFolder folder;
  ServerOptions options;
  options.tcp = false;
  options.socket = folder / "socket";
  {
    // Bound and closed, but its file stays: what a killed server leaves behind.
    const Fd dead(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options.socket.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  auto server = StartServer(options, Echo);
  EXPECT_EQ(server->port(), 0);
  EXPECT_TRUE(Fetch({.socket = options.socket}, Get("/"), kLong));

  const auto second = Server::Start(options, Echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("another server is listening"));
  EXPECT_TRUE(Fetch({.socket = options.socket}, Get("/"), kLong)) << "the first one is unharmed";
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(options.socket));
}

TEST(HttpServer, LeavesAFileThatIsNoSocket) {
  const ScratchFolder folder;
  ServerOptions options;
  options.tcp = false;
  options.socket = folder / "precious";
  ASSERT_TRUE(WriteFileAtomic(options.socket, "data"));
  const auto server = Server::Start(options, Echo);
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, Errc::kUnavailable);
  EXPECT_EQ(*ReadFile(options.socket, 10), "data");
}

TEST(HttpServer, SaysWhenItCannotListen) {
  const auto server = StartServer({}, Echo);
  ServerOptions options;
  options.port = server->port();
  const auto taken = Server::Start(options, Echo);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kUnavailable);
  EXPECT_EQ(taken.error().message, fmt::format("127.0.0.1:{}: another server is listening", server->port()));
  options.address = "192.0.2.1";
  EXPECT_EQ(Server::Start(options, Echo).error().code, Errc::kUnavailable);
  options.address = "no address";
  EXPECT_EQ(Server::Start(options, Echo).error().code, Errc::kInvalid);
  EXPECT_EQ(Server::Start({.tcp = false}, Echo).error().code, Errc::kInvalid);
}

TEST(HttpServer, StandsALoadOfManyThreads) {
  const auto server = StartServer({}, Echo);
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      RawClient kept(*server);
      for (int i = 0; i < 250; ++i) {
        const std::string path = fmt::format("/{}/{}", t, i);
        if (i % 10 != 0) {
          kept.Send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", path));
          good += kept.Receive().find("GET " + path) != std::string::npos;
          continue;
        }
        const auto answer = Fetch(Local(*server), Get(path), kLong);
        good += answer && answer->body == "GET " + path + " ";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 2000);
}

TEST(HttpServer, EndsWithLongPollsOutstanding) {
  Box<Responder> box;
  auto server = StartServer({}, [&](const Request&, Responder responder) { box.Put(responder); });
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<Responder> responders;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(*server));
    clients.back()->Send("GET /poll HTTP/1.1\r\nHost: h\r\n\r\n");
    responders.push_back(box.Take());
  }
  RawClient idle(*server);
  std::atomic<bool> go{false};
  std::thread late([&] {
    while (!go) std::this_thread::yield();
    for (int i = 0; i < 10; ++i) responders[i].Send({.body = "late"});
  });
  go = true;
  server.reset();
  late.join();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(clients[i]->ReceiveAll(), testing::AnyOf(StartsWith("HTTP/1.1 503"), HasSubstr("late")));
    EXPECT_TRUE(responders[i].Abandoned());
  }
  EXPECT_EQ(idle.ReceiveAll(), "");
  responders.clear();
}

TEST(HttpServer, WaitsForHandlersAndSendsTheirAnswers) {
  Box<int> started;
  std::mutex gate;
  std::unique_lock held(gate);
  ServerOptions options;
  options.workers = 1;
  auto server = StartServer(options, [&](const Request& request, Responder responder) {
    started.Put(0);
    const std::lock_guard wait(gate);
    Echo(request, responder);
  });
  RawClient running(*server);
  running.Send("GET /running HTTP/1.1\r\nHost: h\r\n\r\n");
  started.Take();
  RawClient waiting(*server);
  waiting.Send("GET /waiting HTTP/1.1\r\nHost: h\r\n\r\n");
  std::thread end([&] { server.reset(); });
  // The one that waits for a worker is sent away while the other still runs.
  EXPECT_THAT(waiting.ReceiveAll(), testing::AnyOf(StartsWith("HTTP/1.1 503"), ""));
  held.unlock();
  end.join();
  EXPECT_THAT(running.ReceiveAll(), HasSubstr("GET /running"));
}

TEST(HttpClient, SaysWhoDoesNotAnswer) {
  const ScratchFolder folder;
  EXPECT_EQ(Fetch({.socket = folder / "none"}, Get("/"), kLong).error().code, Errc::kUnavailable);
  EXPECT_EQ(Fetch({.socket = folder / std::string(200, 'x')}, Get("/"), kLong).error().code, Errc::kInvalid);
  std::uint16_t port = 0;
  {
    port = StartServer({}, Echo)->port();
  }
  const auto refused = Fetch({.host = "127.0.0.1", .port = port}, Get("/"), kLong);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kUnavailable);
  EXPECT_EQ(refused.error().message, fmt::format("127.0.0.1:{}: nobody is listening", port));
}

TEST(HttpClient, GivesUpAtItsTimeout) {
  Box<Responder> box;
  const auto server = StartServer({}, [&](const Request&, Responder responder) { box.Put(responder); });
  const auto answer = Fetch(Local(*server), Get("/"), Millis(50));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Errc::kTimeout);
  const Responder responder = box.Take();
  EXPECT_TRUE(Eventually([&] { return responder.Abandoned(); }));
}

TEST(HttpClient, ReadsARefusalThatComesBeforeItsBodyIsSent) {
  ServerOptions options;
  options.body_bytes = 1000;
  const auto server = StartServer(options, Echo);
  const Request request{.method = "POST", .path = "/", .body = std::string(2'000'000, 'x')};
  const auto answer = Fetch(Local(*server), request, kLong);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 413);
}

}  // namespace
}  // namespace backplane::http

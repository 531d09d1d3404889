#include "http/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/wire.h"

namespace backplane::http {
namespace {

using testing::HasSubstr;

TEST(Percent, DecodesAndKeepsWhatIsMalformed) {
  EXPECT_EQ(PercentDecode("a%20b%2Fc+d"), "a b/c+d");
  EXPECT_EQ(PercentDecode("%c3%A9"), "\xc3\xa9");
  for (const char* text : {"%", "%4", "%zz", "100%", "%-1"}) EXPECT_EQ(PercentDecode(text), text);
  EXPECT_EQ(PercentDecode("%2541"), "%41");
}

TEST(Percent, EncodesWhatDecodesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(PercentEncode("a-._~/ +"), "a-._~%2F%20%2B");
}

TEST(Query, PlusIsASpaceAndTheLastOfEqualNamesWins) {
  const auto query = ParseQuery("a=1&b=x+y%2B&a=2&empty=&bare&&c=d=e");
  EXPECT_EQ(query,
            (std::map<std::string, std::string>{{"a", "2"}, {"b", "x y+"}, {"bare", ""}, {"c", "d=e"}, {"empty", ""}}));
  EXPECT_TRUE(ParseQuery("").empty());
}

TEST(HeaderNames, CompareWithoutRegardToCase) {
  Request request;
  request.headers["X-Token"] = "t";
  EXPECT_EQ(request.Header("x-tOKEN"), "t");
  EXPECT_EQ(request.Header("X-Toke"), "");
}

TEST(ProblemResponse, IsProblemJson) {
  const Response response = Problem(404, "no such run: \"7\"");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no such run: \"7\""})");
}

/// Feeds the text in pieces of `piece` bytes.
RequestParser::Step FeedAll(RequestParser& parser, std::string_view text, std::size_t piece, std::string& input) {
  RequestParser::Step step = RequestParser::Step::kMore;
  while (!text.empty() && step == RequestParser::Step::kMore) {
    input += text.substr(0, piece);
    text.remove_prefix(std::min(piece, text.size()));
    step = parser.Feed(input);
    if (step == RequestParser::Step::kContinue) step = RequestParser::Step::kMore;
  }
  input += text;
  return step;
}

TEST(RequestParsing, GivesTheSameRequestHoweverItIsCut) {
  constexpr std::string_view kText =
      "\r\nPOST /a%20b/c?x=1+2&y=%2b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4;ext=1\r\nabcd\r\n3\r\nefg\r\n0\r\nHost: evil\r\n\r\nGET /next";
  for (std::size_t piece = 1; piece <= kText.size(); ++piece) {
    RequestParser parser(1024, 100);
    std::string input;
    ASSERT_EQ(FeedAll(parser, kText, piece, input), RequestParser::Step::kDone) << parser.detail() << " at " << piece;
    const Request request = parser.Take();
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.path, "/a b/c");
    EXPECT_EQ(request.query.at("x"), "1 2");
    EXPECT_EQ(request.query.at("y"), "+");
    EXPECT_EQ(request.Header("X-A"), "1, 2");
    EXPECT_EQ(request.Header("Host"), "h") << "a trailer is no header";
    EXPECT_EQ(request.body, "abcdefg");
    EXPECT_EQ(input, "GET /next");
    EXPECT_TRUE(parser.keep_alive());
  }
}

TEST(RequestParsing, RefusesWhatItCannotTrust) {
  const std::string long_header(2000, 'x');
  const struct {
    std::string text;
    int status;
  } kCases[] = {
      {"hello\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + long_header, 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: " + long_header, 431},
      {"GET /" + long_header, 431},
  };
  for (const auto& bad : kCases) {
    RequestParser parser(1024, 100);
    std::string input;
    EXPECT_EQ(FeedAll(parser, bad.text, 7, input), RequestParser::Step::kBad) << bad.text;
    EXPECT_EQ(parser.status(), bad.status) << bad.text << ": " << parser.detail();
    EXPECT_FALSE(parser.detail().empty());
    EXPECT_FALSE(parser.keep_alive());
  }
}

TEST(RequestParsing, TakesTheFormsThatClientsMaySend) {
  const struct {
    std::string_view text;
    std::string_view path;
    bool keep_alive;
  } kCases[] = {
      {"GET http://example.org:80/a?q=1 HTTP/1.1\r\nHost: x\r\n\r\n", "/a", true},
      {"GET http://example.org HTTP/1.1\r\nHost: x\r\n\r\n", "/", true},
      {"GET /a#b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "/a", false},
      {"GET /a HTTP/1.0\r\n\r\n", "/a", false},
      {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "/a", true},
      {"HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", "/a", true},
  };
  for (const auto& good : kCases) {
    RequestParser parser(1024, 100);
    std::string input(good.text);
    ASSERT_EQ(parser.Feed(input), RequestParser::Step::kDone) << good.text << parser.detail();
    EXPECT_EQ(parser.keep_alive(), good.keep_alive) << good.text;
    const Request request = parser.Take();
    EXPECT_EQ(request.path, good.path);
    EXPECT_EQ(request.method, "GET");
  }
}

TEST(Formatting, KeepsHandlersFromSplittingTheHeader) {
  Response response;
  response.headers["Location"] = "/a\r\nSet-Cookie: x";
  response.headers["Content-Length"] = "7";
  response.headers["Bad Name"] = "x";
  response.body = "body";
  const std::string head = FormatHead(response, {});
  EXPECT_THAT(head, HasSubstr("Location: /a  Set-Cookie: x\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(head, testing::Not(HasSubstr("Content-Length: 7")));
  EXPECT_THAT(head, testing::Not(HasSubstr("Bad Name")));
  Request request{.method = "GET", .path = "/"};
  request.headers["X"] = "a\nb";
  EXPECT_FALSE(FormatRequest(request, "h"));
  EXPECT_FALSE(FormatRequest({.method = "GET x", .path = "/"}, "h"));
}

TEST(ResponseParsing, SkipsInterimAnswersAndReadsToTheEnd) {
  ResponseParser parser(100, false);
  std::string input = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nabc";
  ASSERT_EQ(parser.Feed(input), ResponseParser::Step::kMore);
  ASSERT_EQ(parser.End(), ResponseParser::Step::kDone);
  const Response response = parser.Take();
  EXPECT_EQ(response.body, "abc");
  EXPECT_EQ(response.content_type, "text/plain");
}

TEST(ResponseParsing, RefusesTooMuchTooLittleAndOtherThings) {
  for (const std::string text : {"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200", ""}) {
    ResponseParser parser(100, false);
    std::string input = text;
    ResponseParser::Step step = parser.Feed(input);
    if (step == ResponseParser::Step::kMore) step = parser.End();
    EXPECT_EQ(step, ResponseParser::Step::kBad) << text;
    EXPECT_FALSE(parser.detail().empty());
  }
}

}  // namespace
}  // namespace backplane::http

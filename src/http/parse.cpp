// Parsing by Beast; the only file that includes it.
#include <algorithm>
#include <cctype>
#include <optional>

#include <fmt/format.h>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/text.h"
#include "http/wire.h"

namespace backplane::http {
namespace {

namespace beast = boost::beast;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

template <typename Message>
Headers CollectHeaders(const Message& message) {
  Headers headers;
  for (const auto& field : message) {
    auto [at, fresh] = headers.try_emplace(std::string(field.name_string()), View(field.value()));
    if (!fresh) at->second.append(", ").append(View(field.value()));
  }
  return headers;
}

/// "http://host/path" is what a client sends to a proxy, and servers must take it too.
std::string_view OriginForm(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (ToLower(target.substr(0, scheme.size())) != scheme) continue;
    const std::size_t path = target.find_first_of("/?", scheme.size());
    return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  return target;
}

}  // namespace

struct RequestParser::Impl {
  beast::http::request_parser<beast::http::string_body> parser;
};

RequestParser::RequestParser(std::size_t header_bytes, std::size_t body_bytes)
    : impl_(std::make_unique<Impl>()), header_bytes_(header_bytes) {
  impl_->parser.header_limit(static_cast<std::uint32_t>(header_bytes));
  impl_->parser.body_limit(body_bytes);
  impl_->parser.eager(false);
}

RequestParser::~RequestParser() = default;

RequestParser::Step RequestParser::Bad(int status, std::string detail) {
  status_ = status;
  detail_ = std::move(detail);
  keep_alive_ = false;
  return Step::kBad;
}

RequestParser::Step RequestParser::Feed(std::string& input) {
  if (status_ != 0) return Step::kBad;
  auto& parser = impl_->parser;
  if (!parser.is_header_done()) {
    if (const Step step = FeedHeader(input); step != Step::kDone) return step;
    if (const Step step = CheckHeader(); step != Step::kDone) return step;
    parser.eager(true);
  }
  return FeedBody(input);
}

RequestParser::Step RequestParser::FeedHeader(std::string& input) {
  // Some old clients end a body with a line break that its length does not count.
  if (!impl_->parser.got_some()) input.erase(0, std::min(input.find_first_not_of("\r\n"), input.size()));
  if (input.empty()) return Step::kMore;
  beast::error_code error;
  const std::size_t used = impl_->parser.put(boost::asio::buffer(input), error);
  input.erase(0, used);
  if (error == beast::http::error::need_more) return Step::kMore;
  if (error == beast::http::error::header_limit)
    return Bad(431, fmt::format("the header is larger than the limit of {} bytes", header_bytes_));
  if (error == beast::http::error::body_limit) return Bad(413, "the body is larger than the limit");
  if (error) return Bad(400, fmt::format("malformed request: {}", error.message()));
  return Step::kDone;
}

RequestParser::Step RequestParser::CheckHeader() {
  const auto& message = impl_->parser.get();
  http_1_0_ = message.version() == 10;
  keep_alive_ = message.keep_alive();
  request_.headers = CollectHeaders(message);
  if (message.version() != 10 && message.version() != 11) return Bad(400, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (message.count(beast::http::field::host) > 1) return Bad(400, "more than one Host header");
  if (!http_1_0_ && message.count(beast::http::field::host) == 0) return Bad(400, "a Host header is missing");
  // A coding other than a final "chunked" leaves the body's end unknown, and what follows would
  // be taken for a request.
  if (message.count(beast::http::field::transfer_encoding) > 0 &&
      (http_1_0_ || ToLower(request_.Header("Transfer-Encoding")) != "chunked"))
    return Bad(400, "the only transfer coding understood is chunked");

  request_.method = std::string(message.method_string());
  for (char& c : request_.method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  head_ = request_.method == "HEAD";
  if (head_) request_.method = "GET";

  std::string_view target = OriginForm(View(message.target()));
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  request_.path = PercentDecode(target.substr(0, question));
  if (request_.path.empty() && question == 0) request_.path = "/";
  if (request_.path.empty() || request_.path[0] != '/')
    return Bad(400, fmt::format("not a path: {}", Shorten(request_.path, 80)));
  if (request_.path.find('\0') != std::string::npos) return Bad(400, "the path holds a zero byte");
  if (question != std::string_view::npos) request_.query = ParseQuery(target.substr(question + 1));
  return Step::kDone;
}

RequestParser::Step RequestParser::FeedBody(std::string& input) {
  auto& parser = impl_->parser;
  while (!parser.is_done()) {
    if (input.empty()) break;
    beast::error_code error;
    const std::size_t used = parser.put(boost::asio::buffer(input), error);
    input.erase(0, used);
    if (error == beast::http::error::need_more) {
      // What stays unused is part of a chunk's header line or of the trailer.
      if (input.size() > header_bytes_) return Bad(400, "a chunk's header line is too long");
      return Step::kMore;
    }
    if (error == beast::http::error::body_limit || error == beast::http::error::buffer_overflow)
      return Bad(413, "the body is larger than the limit");
    if (error) return Bad(400, fmt::format("malformed body: {}", error.message()));
    if (used == 0 && !parser.is_done()) return Step::kMore;
  }
  if (parser.is_done()) return Step::kDone;
  if (!told_to_continue_ && !http_1_0_ && ToLower(request_.Header("Expect")) == "100-continue") {
    told_to_continue_ = true;
    return Step::kContinue;
  }
  return Step::kMore;
}

Request RequestParser::Take() {
  request_.body = std::move(impl_->parser.get().body());
  return std::move(request_);
}

struct ResponseParser::Impl {
  std::optional<beast::http::response_parser<beast::http::string_body>> parser;
  void Reset(std::size_t body_bytes, bool to_head) {
    parser.emplace();
    parser->header_limit(1 << 20);
    parser->body_limit(body_bytes);
    parser->eager(true);
    parser->skip(to_head);
  }
};

ResponseParser::ResponseParser(std::size_t body_bytes, bool to_head)
    : impl_(std::make_unique<Impl>()), body_bytes_(body_bytes), to_head_(to_head) {
  impl_->Reset(body_bytes, to_head);
}

ResponseParser::~ResponseParser() = default;

ResponseParser::Step ResponseParser::Feed(std::string& input) {
  while (!input.empty()) {
    beast::error_code error;
    const std::size_t used = impl_->parser->put(boost::asio::buffer(input), error);
    input.erase(0, used);
    if (error == beast::http::error::need_more) return Step::kMore;
    if (error == beast::http::error::body_limit || error == beast::http::error::buffer_overflow) {
      detail_ = fmt::format("the answer is larger than the limit of {} bytes", body_bytes_);
      return Step::kBad;
    }
    if (error) {
      detail_ = fmt::format("the answer is malformed: {}", error.message());
      return Step::kBad;
    }
    if (impl_->parser->is_done()) {
      const unsigned status = impl_->parser->get().result_int();
      if (status >= 200 || status == 101) return Step::kDone;
      impl_->Reset(body_bytes_, to_head_);
    } else if (used == 0) {
      return Step::kMore;
    }
  }
  return Step::kMore;
}

ResponseParser::Step ResponseParser::End() {
  beast::error_code error;
  if (impl_->parser->got_some()) impl_->parser->put_eof(error);
  if (!error && impl_->parser->is_done()) return Step::kDone;
  detail_ = "the connection was closed before the answer was complete";
  return Step::kBad;
}

Response ResponseParser::Take() {
  auto& message = impl_->parser->get();
  Response response;
  response.status = static_cast<int>(message.result_int());
  response.headers = CollectHeaders(message);
  const auto type = response.headers.find(std::string_view("Content-Type"));
  response.content_type = type == response.headers.end() ? std::string() : type->second;
  response.body = std::move(message.body());
  return response;
}

}  // namespace backplane::http

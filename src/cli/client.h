// Asks the daemon, through DATA/api.sock.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/command.h"
#include "http/http.h"

namespace backplane::cli {

class Client {
 public:
  /// Finds the daemon that --data, $BACKPLANE_DATA or the default names, to call it with the token in
  /// $BACKPLANE_TOKEN or, without that, with DATA/token. kUnavailable: none runs there; the message says how
  /// to start it.
  static Result<Client> Connect(const Args& args);

  using Query = std::map<std::string, std::string>;
  Result<Json> Get(const std::string& path, const Query& query = {}, Millis timeout = Millis(30'000)) const;
  Result<std::string> GetText(const std::string& path, const Query& query = {}) const;
  Result<Json> Post(const std::string& path, const Query& query = {}) const;
  /// Any other method; no body if it is null.
  Result<Json> Call(const std::string& method, const std::string& path, const Json& body = nullptr,
                    const Query& query = {}) const;

 private:
  Client(std::filesystem::path data, std::string token) : data_(std::move(data)), token_(std::move(token)) {}
  Result<http::Response> Send(http::Request request, Millis timeout) const;

  std::filesystem::path data_;
  std::string token_;
};

/// The data folder that the arguments and the environment name.
Result<std::filesystem::path> DataFolder(const Args& args);

}  // namespace backplane::cli

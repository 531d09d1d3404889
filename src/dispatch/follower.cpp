#include "dispatch/follower.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "store/events.h"
#include "store/resources.h"

namespace backplane::dispatch {
namespace {

constexpr int kPage = 1'000;
constexpr const char* kTopic = "resource.";
constexpr Millis kLongest{3'600'000};
constexpr Millis kRetryDelay{1'000};

}  // namespace

Result<std::unique_ptr<ResourceFollower>> ResourceFollower::Start(Host& host, store::Database& database,
                                                                  events::Bus& bus) {
  std::unique_ptr<ResourceFollower> follower(new ResourceFollower(host, database, bus));
  BACKPLANE_TRY(follower->Reload());
  follower->thread_ = std::jthread([&self = *follower](const std::stop_token& stop) { self.Loop(stop); });
  return follower;
}

ResourceFollower::~ResourceFollower() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ResourceFollower::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const std::uint64_t generation = bus_.generation();
    const Status status = CatchUp();
    if (!status) LogError("following resources: {}; trying again", status.error().message);
    bus_.Wait(generation, status ? kLongest : kRetryDelay, [bell = bell_](events::Wake) {
      const std::lock_guard lock(bell->mutex);
      bell->ringing = true;
      bell->rang.notify_all();
    });
    std::unique_lock lock(bell_->mutex);
    bell_->rang.wait(lock, stop, [this] { return bell_->ringing; });
    bell_->ringing = false;
  }
}

Status ResourceFollower::CatchUp() {
  bool more = true;
  while (more) {
    std::vector<Resource> set;
    std::vector<std::string> gone;
    EventSeq reached = seen_;
    bool missed = false;
    BACKPLANE_TRY(database_.Read([&](store::Connection& connection) -> Status {
      store::Events events(connection, kDefaultOrg);
      const EventSeq last = events.Last();
      if (last == seen_) return more = false, Status();
      missed = events.First() > seen_ + 1;
      if (missed) return {};
      const auto news = events.After(seen_, kPage, kTopic);
      more = static_cast<int>(news.size()) == kPage;
      reached = more ? news.back().seq : last;
      std::set<std::string> keys;
      for (const store::Event& event : news) {
        const Result<Json> body = ParseJson(event.body);
        if (body && body->contains("key")) keys.insert((*body)["key"].get<std::string>());
      }
      store::Resources resources(connection, kDefaultOrg);
      for (const std::string& key : keys) {
        if (auto stored = resources.Find(key))
          set.push_back(std::move(stored->resource));
        else
          gone.push_back(key);
      }
      return {};
    }));
    if (missed) return Reload();
    if (!set.empty() || !gone.empty()) BACKPLANE_TRY(host_.SetResources(std::move(set), gone));
    seen_ = reached;
  }
  return {};
}

Status ResourceFollower::Reload() {
  std::vector<Resource> set;
  std::set<std::string> present;
  EventSeq last = 0;
  BACKPLANE_TRY(database_.Read([&](store::Connection& connection) -> Status {
    last = store::Events(connection, kDefaultOrg).Last();
    store::Resources resources(connection, kDefaultOrg);
    store::ResourceFilter page{.limit = kPage};
    while (true) {
      auto found = resources.List(page);
      for (store::StoredResource& stored : found) {
        page.after = stored.id;
        present.insert(ResourceKey(stored.resource));
        set.push_back(std::move(stored.resource));
      }
      if (static_cast<int>(found.size()) < kPage) return {};
    }
  }));
  std::vector<std::string> gone;
  for (std::string& key : host_.ResourceKeys())
    if (!present.contains(key)) gone.push_back(std::move(key));
  BACKPLANE_TRY(host_.SetResources(std::move(set), gone));
  seen_ = last;
  return {};
}

}  // namespace backplane::dispatch

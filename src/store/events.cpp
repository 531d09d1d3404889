#include "store/events.h"

namespace backplane::store {

EventSeq Events::Append(const Event& event) {
  return db_.ExecuteReturning(
      "INSERT INTO event (org, topic, at, plugin, entity, run, body) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING seq", org_,
      event.topic, ToMillis(event.at), event.plugin, event.entity, event.run, event.body);
}

std::vector<Event> Events::After(EventSeq after, int limit, const std::string& topic) {
  std::vector<Event> events;
  // A topic is a prefix: "device." finds device.new. '~' sorts after every character of a topic.
  Rows rows = db_.Query(
      "SELECT seq, topic, at, plugin, entity, run, body FROM event WHERE org = ? AND seq > ? AND topic >= ? AND "
      "topic < ? ORDER BY seq LIMIT ?",
      org_, after, topic, topic + "~", limit);
  while (rows.Next())
    events.push_back(
        {rows.Int(0), rows.Text(1), FromMillis(rows.Int(2)), rows.Text(3), rows.Int(4), rows.Int(5), rows.Text(6)});
  return events;
}

EventSeq Events::Last() {
  Rows rows = db_.Query("SELECT COALESCE(MAX(seq), 0) FROM event WHERE org = ?", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

EventSeq Events::First() {
  Rows rows = db_.Query("SELECT COALESCE(MIN(seq), 0) FROM event WHERE org = ?", org_);
  return rows.Next() ? rows.Int(0) : 0;
}

int Events::Forget(TimePoint before, int limit) {
  return static_cast<int>(db_.Execute(
      "DELETE FROM event WHERE org = ? AND seq IN (SELECT seq FROM (SELECT seq, at FROM event WHERE org = ? "
      "AND seq < (SELECT MAX(seq) FROM event WHERE org = ?) ORDER BY seq LIMIT ?) AS oldest WHERE at < ?)",
      org_, org_, org_, limit, ToMillis(before)));
}

}  // namespace backplane::store

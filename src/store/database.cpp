#include "store/database.h"

#include <future>

namespace backplane::store {

Status Database::Write(Work work, Priority priority) {
  std::promise<Status> finished;
  Submit(priority, std::move(work), [&finished](Status status) { finished.set_value(std::move(status)); });
  return finished.get_future().get();
}

}  // namespace backplane::store

// backplane-keeper --folder FOLDER --fd N: started by the daemon, not by people.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include "base/core_dump.h"
#include "base/log.h"
#include "keeper/keeper.h"

int main(int argc, char** argv) {
  using namespace backplane;
  std::filesystem::path folder;
  int fd = -1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option(argv[i]), value(argv[i + 1]);
    if (option == "--folder") folder = value;
    if (option == "--fd") std::from_chars(value.data(), value.data() + value.size(), fd);
  }
  if (argc != 5 || folder.empty() || fd < 3 || fcntl(fd, F_GETFD) < 0) {
    std::fputs(
        "usage: backplane-keeper --folder FOLDER --fd SOCKET\n"
        "Started by backplane; it is the parent of every plugin process.\n",
        stderr);
    return 2;
  }
  ForbidCoreDumps();  // what is started passes through here, with its environment
  // Whatever else the daemon had open is not ours to hold.
  if (fd > 3) close_range(3, static_cast<unsigned>(fd) - 1, 0);
  close_range(static_cast<unsigned>(fd) + 1, ~0U, 0);
  InitLog(LogLevel::kInfo, "backplane-keeper");
  const auto served = keeper::ServeKeeper(Fd(fd), folder);
  if (served) return 0;
  LogError("{}", served.error().message);
  return 1;
}

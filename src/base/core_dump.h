// Keeping what is in memory out of files.
#pragma once

namespace backplane {

/// From now on this process leaves no core file and no other user, nor a debugger of the same user
/// without CAP_SYS_PTRACE, can read its memory; programs that it starts write no core files either.
/// Call early, before there are secrets.
void ForbidCoreDumps();

}  // namespace backplane

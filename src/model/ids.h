// Numbers that name rows. All come from the store, start at 1 and are never used twice.
#pragma once

#include <cstdint>

namespace backplane {

using OrgId = std::int64_t;      ///< organisation, the tenant
using RunId = std::int64_t;      ///< one attempt at a job
using EntryId = std::int64_t;    ///< position in the journal
using EntityId = std::int64_t;   ///< a thing in the inventory
using EventSeq = std::int64_t;   ///< position in the event stream
using UserId = std::int64_t;     ///< somebody who can sign in
using TokenId = std::int64_t;    ///< an API token
using SessionId = std::int64_t;  ///< somebody's having signed in
using CycleId = std::int64_t;    ///< runs that belong together

/// The organisation of a site that never made another.
inline constexpr OrgId kDefaultOrg = 1;

}  // namespace backplane

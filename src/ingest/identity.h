// Who wins a field.
#pragma once

#include <string>
#include <string_view>

#include "model/record.h"

namespace backplane::ingest {

/// The source of what a person set by hand.
inline constexpr std::string_view kPersonSource = "user";

/// A field as it stands.
struct FieldState {
  std::string_view value;   ///< empty: unset
  std::string_view source;  ///< whose value it is; empty: nobody's
  bool locked = false;
};

/// Whether `claim` by `source` replaces the field. Pure.
///
/// In this order: an empty claim never does; nothing replaces a locked field; only a person
/// replaces what a person set; kAlways does; kIfEmpty does if the field is empty; kDefault also
/// if the present value came from the same source.
bool ClaimWins(const FieldState& field, std::string_view source, const Claim& claim);

}  // namespace backplane::ingest

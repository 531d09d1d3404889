// The resource filter language: which resources an enrichment or polling plugin runs about.
//
//   query := cond { ("AND" | "OR") cond }
//   cond  := field ("=" | "!=" | "eq" | "ne") string | field ["NOT"] "LIKE" string
//          | field ["NOT"] "IN" "(" string { "," string } ")"
//   field := "resource_" ("site" | "class" | "subclass" | "type" | "id" | "endpoint")
//          | "resource_metadata" "." name
//
// Words, fields and names of metadata are lower-cased, values are not. AND binds tighter than OR.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "plugin/manifest.h"

namespace backplane::panoptes {

/// How OR is read in a filter that has conditions on metadata.
enum class OrRule {
  /// As the original does: the first condition on metadata narrows all conditions on fields,
  /// whatever stands before it; later ones with OR add the resources that satisfy them alone, and
  /// then later ones with AND narrow everything. A filter that begins with metadata, which the
  /// original cannot evaluate, is read logically.
  kOriginal,
  kLogical,  ///< as written
};

struct Filter {
  std::shared_ptr<const TargetFilter> targets;
  std::string warning;  ///< where the original's reading differs from what is written; else empty
};

/// kInvalid names the column and what is expected there. Pure. The predicate is true for the same
/// resources always, never throws, and takes time in proportion to the conditions and to the length
/// of the texts that LIKE is about.
Result<Filter> ParseFilter(std::string_view text, OrRule rule);

}  // namespace backplane::panoptes

// How a batch's records lie in the journal: one compact JSON array per line, so that a fold
// parses only the slice it applies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/record.h"

namespace backplane::ingest {

/// One line per record. Bytes that are not UTF-8 become U+FFFD.
std::string EncodeRecords(const std::vector<Record>& records);

/// The lines of a body, without parsing them.
std::vector<std::string_view> SplitBody(std::string_view body);

/// Whether a line is a MetricsRecord's, without parsing it.
bool IsMetrics(std::string_view line);

/// Whether a line is an Observation's, without parsing it.
bool IsObservation(std::string_view line);

/// kInvalid: not a line that EncodeRecords wrote.
Result<Record> DecodeRecord(std::string_view line);

}  // namespace backplane::ingest

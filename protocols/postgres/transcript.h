// Turns recorded PostgreSQL messages into tables and messages for a viewer.
//
// The bytes come from the store and were written by targets: nothing in them is believed. Bounded
// by what is given, and by transcript_message_limit for a message that arrives in pieces.

#pragma once

#include <memory>

#include "gateway/vocabulary/transcript.h"

namespace sallyport::postgres {

inline constexpr std::size_t transcript_message_limit = std::size_t{16} << 20;

std::unique_ptr<Transcript> transcribe();

}  // namespace sallyport::postgres

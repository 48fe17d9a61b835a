#include "protocols/postgres/refusal.h"

#include "protocols/postgres/message.h"

namespace sallyport::postgres {

namespace {

constexpr std::string_view failing_text = "statement refused by sallyport";
constexpr std::string_view failing_name = "sallyport_refused";

}  // namespace

std::string_view sqlstate_of(Fault fault)
{
    switch (fault) {
    case Fault::malformed: return "08P01";    // protocol_violation
    case Fault::refused: return "42501";      // insufficient_privilege
    case Fault::unauthentic: return "28P01";  // invalid_password
    case Fault::unavailable: return "08006";  // connection_failure
    case Fault::unrecorded: return "58030";   // io_error
    case Fault::limit: return "54000";        // program_limit_exceeded
    case Fault::closed: return "57P01";       // admin_shutdown
    }
    return "XX000";
}

std::string failing_query()
{
    std::string message;
    MessageWriter(message).begin('Q').text(failing_text).end();
    return message;
}

std::string failing_parse(bool unnamed)
{
    std::string message;
    MessageWriter(message)
        .begin('P')
        .text(unnamed ? std::string_view() : failing_name)
        .text(failing_text)
        .u16(0)
        .end();
    return message;
}

std::string refusal_message(Bytes error_body, const Error& refusal)
{
    std::string severity = "ERROR";
    if (auto diagnostic = read_diagnostic(error_body); diagnostic) {
        if (!diagnostic->field('V').empty())
            severity = diagnostic->field('V');
        // A session that the target itself ends says so in the target's words.
        if (severity != "ERROR")
            return write_diagnostic('E', *diagnostic);
    }
    return error_message(severity, sqlstate_of(refusal.fault), refusal.detail, refusal.context);
}

std::string farewell(const Error& why)
{
    return error_message("FATAL", sqlstate_of(why.fault), why.detail, why.context);
}

}  // namespace sallyport::postgres

// The composition root: which protocols this build has, and the commands it answers to.

#include <CLI/CLI.hpp>
#include <array>
#include <iostream>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "gateway/program/check.h"
#include "gateway/program/decide.h"
#include "gateway/program/serve.h"
#include "gateway/program/sessions.h"
#include "gateway/program/user.h"
#include "protocols/postgres/explained.h"
#include "protocols/postgres/kept_names.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/transcript.h"

namespace {

constexpr int wrong_use = 2;

sallyport::Result<sallyport::Understood> read_postgres(std::string_view text,
                                                       const sallyport::Connection& connection,
                                                       const std::string& state_dir)
{
    using namespace sallyport::postgres;
    TRY(names, kept_names(state_dir, connection));
    const auto sql = read_sql(text, names);
    Explained said = explained(*sql);
    return sallyport::Understood{sql->command, std::move(said.functions), std::move(said.columns),
                                 sql};
}

}  // namespace

int main(int argc, char** argv)
{
    using namespace sallyport;

    // One line for each protocol here and in the two tables below.
    const std::array protocols{ProtocolWords{"postgres", &postgres::sql_vocabulary()}};
    const std::array readers{CommandReader{"postgres", "--sql", read_postgres}};
    const std::array transcripts{ProtocolTranscript{"postgres", postgres::transcribe}};

    spdlog::set_default_logger(spdlog::stderr_logger_mt("sallyport"));
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");

    int status = 0;
    CLI::App app(
        "The gateway between people and production: decides every command, masks every "
        "result, keeps the evidence.");
    app.name("sallyport");
    app.require_subcommand(1);
    app.set_version_flag("--version", "sallyport 0.1.0");
    add_serve_command(app, protocols, status);
    add_check_command(app, protocols, status);
    add_decide_command(app, protocols, readers, status);
    add_sessions_commands(app, protocols, transcripts, status);
    add_user_commands(app, status);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& problem) {
        // --help and --version arrive here too, with status 0.
        return app.exit(problem) == 0 ? 0 : wrong_use;
    } catch (const std::exception& broken) {
        std::cerr << "sallyport: " << broken.what() << "\n";
        return 1;
    }
    return status;
}

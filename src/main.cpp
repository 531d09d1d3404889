#include "cli/command.h"

int main(int argc, char** argv) { return backplane::cli::Main(backplane::cli::Commands(), argc, argv); }

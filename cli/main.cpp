// SPDX-License-Identifier: Apache-2.0
// The command line: flags to library calls, no logic.
int main() { return 0; }
